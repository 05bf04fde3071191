import requests
import json

class ReceiptApiClient:
    def __init__(self, base_url, api_key):
        self.base_url = base_url.rstrip('/')
        self.api_key = api_key
    
    def submit_application(self, data):
        data['apikey'] = self.api_key
        response = requests.post(f"{self.base_url}/submit", json=data)
        return response.json()
    
    def query_result(self, application_no):
        params = {
            'apikey': self.api_key,
            'application_no': application_no
        }
        response = requests.get(f"{self.base_url}/query", params=params)
        return response.json()
    
    def batch_query_result(self, application_nos):
        data = {
            'apikey': self.api_key,
            'application_nos': application_nos
        }
        response = requests.post(f"{self.base_url}/batch_query", json=data)
        return response.json()
    
    def get_receipt_types(self):
        params = {
            'apikey': self.api_key
        }
        response = requests.get(f"{self.base_url}/types", params=params)
        return response.json()
    
    def get_applications(self, page=1, size=20, status=''):
        params = {
            'apikey': self.api_key,
            'page': page,
            'size': size
        }
        if status:
            params['status'] = status
        response = requests.get(f"{self.base_url}/applications", params=params)
        return response.json()

# 使用示例
client = ReceiptApiClient('https://www.clipimg.com/app/receipt_api.php', 'your-api-key')

# 提交申请
result = client.submit_application({
  'receipt_type_id': 5,
    'id_photo_url': 'http://example.com/photo.jpg',
    'custom_fields': {
        'city': '广东省,深圳市',
        'customer_id_card': '110101199001011234'
    },
    'callback_url': 'http://your-domain.com/callback'
})

# 查询结果
result = client.query_result('RA20231201143059001')

# 批量查询
result = client.batch_query_result([
    'RA20231201143059001',
    'RA20231201143059002'
])

# 获取回执类型列表
types = client.get_receipt_types()

# 获取申请记录列表
applications = client.get_applications(page=1, size=10, status='completed')
